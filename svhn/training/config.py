"""All that a training run is told: one dataclass, saved with every checkpoint."""

import dataclasses

from svhn.command_line import option
from svhn.models import DEFAULT_MODEL, DETECTOR_NAMES, MODEL_NAMES, PRECISIONS, TASKS
from svhn.window_config import WindowConfig

# Flags that may change when a run is continued: they say where, how long and how it is watched,
# not what is computed at a step.
FREE_FLAGS = frozenset(
    {
        "data_dir",
        "train_logdir",
        "steps",
        "epochs",
        "patience",
        "restore_checkpoint",
        "keep_checkpoints",
        "log_every",
        "steps_per_call",
        "profile_steps",
    }
)

TASK_DEFAULTS = {
    "reader": {
        "model": DEFAULT_MODEL,
        "batch_size": 64,
        "learning_rate": 1e-3,
        "weight_decay": 0.05,
        "gradient_clip": 0.0,
        "teacher_share": 0.5,
    },
    "detector": {
        "model": DETECTOR_NAMES[0],
        "batch_size": 16,
        "learning_rate": 2e-3,
        "weight_decay": 0.02,
        "gradient_clip": 5.0,
        "window_size": 128,
        "val_size": 160,
    },
}
"""What flags are where they are not given, and depend on `--task`. A flag that a task lacks means
nothing for it."""

LARGEST_DIGIT = 0.75
"""Digits are scaled up to this share of a window's height."""


@dataclasses.dataclass
class TrainingConfig:
    """The flags of `train.py`; those that depend on the task are filled in."""

    data_dir: str = option(
        "Folder that convert_to_tfrecords.py has converted: its tfrecords/ is read.", group="Data"
    )
    splits: list[str] = option(
        "Splits to train on. Default: train, extra and pseudo, as far as they were converted; "
        "for a detector empty, too: photos without any number. A reader learns from them, where "
        "they are named, to say that there is none.",
        [],
        group="Data",
    )
    mix: list[str] = option(
        "Ratio in which the splits give pictures, as train:1,extra:2; every stretch of the run "
        "has it. train has harder photos, more like those of test; extra has more different "
        "ones, and too little of it brings overfitting; pseudo has labels that a "
        "machine gave. An epoch stays as many pictures as the splits have photos. Default: the "
        "ratio of their photos, each once an epoch.",
        [],
        group="Data",
    )
    balance_lengths: float = option(
        "How far rare lengths of numbers are evened out: 0 as the data has them, 1 each equally "
        "often, but no photo more than 10 times an epoch. Rare lengths are read better, at some "
        "cost to the common ones, on which the score over all photos rests.",
        0.0,
        group="Data",
        minimum=0.0,
        maximum=1.0,
    )
    augmentation: float = option(
        "Strength of the random changes to training pictures (place, turn, light, blur, noise, "
        "negatives, hidden parts, room beyond an end): 1 is the recipe's; with 0 training sees "
        "just what evaluation sees. More helps where photos are few and the run is long; a short "
        "run learns faster with less. The detector's windows have random places and scales "
        "whatever it is.",
        1.0,
        group="Data",
        minimum=0.0,
        maximum=3.0,
    )
    photometric_share: float = option(
        "Share of --augmentation at which light, colour, blur, noise and negatives are changed. "
        "With less, pictures are closer to real ones while boxes and turns stay as loose as they "
        "are found. For a detector it does what --augmentation does.",
        1.0,
        group="Data",
        minimum=0.0,
        maximum=3.0,
    )

    train_logdir: str = option(
        "Folder for checkpoints and TensorBoard events. A run that is found there continues.",
        "./logs/train",
        group="Run",
    )
    restore_checkpoint: str = option(
        "Start a new run from the weights of this checkpoint (a folder, DIR/model.ckpt-STEP, "
        "or released weights such as reader.npz).",
        "",
        group="Run",
    )
    seed: int = option(
        "Decides first weights, order, augmentation and dropout. Runs that differ in it alone show "
        "how much of a difference in score is chance.",
        0,
        group="Run",
        minimum=0,
    )
    steps: int | None = option(
        "Batches to train on, in all. Default: as many as --epochs says.",
        None,
        group="Run",
        minimum=1,
    )
    epochs: float = option(
        "Passes over the training splits, where --steps is not given. More raise the score until "
        "val stops following train.",
        30.0,
        group="Run",
        minimum=0.0,
    )
    patience: int = option(
        "Stop after so many evaluations without a better one; 0 never stops early. With the cosine "
        "schedule the score rises most at the end: stopping early costs.",
        20,
        group="Run",
        minimum=0,
    )
    evaluate_every: int | None = option(
        "Steps between evaluations on val, each with a checkpoint. Default: an epoch, but at "
        "most 2,000 steps and at least a twentieth of the run.",
        None,
        group="Run",
        minimum=1,
    )
    log_every: int = option(
        "Steps between points on the training curves.", 50, group="Run", minimum=1
    )
    keep_checkpoints: int = option(
        "How many of the last checkpoints stay; the best one stays beside them.",
        3,
        group="Run",
        minimum=1,
    )

    task: str = option(
        "What to train: reader, which reads the number in a crop; or detector, which finds the "
        "digits in a whole photo (docs/detector.md).",
        TASKS[0],
        group="Model",
        choices=TASKS,
    )
    model: str | None = option(
        "Network. compact is small enough for a CPU; goodfellow is the paper's, six times as slow; "
        "plain is a simple one to try things out with; vgg16 is the well-known one, for GPUs; "
        "detector is the one of --task=detector. Default: compact, or detector.",
        None,
        group="Model",
        choices=MODEL_NAMES + DETECTOR_NAMES,
    )
    backbone_weights: str = option(
        "Start the convolutions of vgg16 from ImageNet's weights: imagenet for the file that "
        "keras.applications downloads, or the path of such a file (.h5, .weights.h5, without top). "
        "They know edges and shapes from the first step, which counts most where photos are few. "
        "Read at the start of a new run alone.",
        "",
        group="Model",
    )
    teachers: list[str] = option(
        "Trained readers whose word the network learns beside the labels: checkpoints or released "
        "weights, as --restore_checkpoint takes them. They see each training picture, and copies "
        "of it a little beside it, and what they say on average is the truth of --teacher_share "
        "of the loss. So one network learns what several networks, or several looks, say together. "
        "A step takes longer by five readings of each picture by each teacher. For the reader.",
        [],
        group="Model",
    )
    teacher_share: float | None = option(
        "Share of the loss against what the --teachers say; the rest is against the labels. 0.5 "
        "heeds both; 1 leaves the labels out, where they are less to be trusted than the teachers; "
        "0 leaves the teachers out. Means nothing without --teachers. Default: 0.5.",
        None,
        group="Model",
        minimum=0.0,
        maximum=1.0,
    )

    window_size: int | None = option(
        "Height and width of the windows that the detector is trained on, pixels, a multiple of "
        "32: parts of photos at random scales, with digits of 10 pixels up to three quarters of a "
        "window. Larger ones teach larger digits and take longer. Default: 128.",
        None,
        group="Model",
        minimum=64,
    )
    val_size: int | None = option(
        "The longer side to which val photos are resized when the detector is scored, pixels, a "
        "multiple of 32. Best where most digits are of a size that the windows have. Default: 160.",
        None,
        group="Model",
        minimum=32,
    )

    batch_size: int | None = option(
        "Pictures a step, over all devices together. Larger ones keep GPUs busy and want a higher "
        "learning rate; smaller ones learn more from each picture. Default: 64; 16 for the "
        "detector.",
        None,
        group="Optimisation",
        minimum=1,
    )
    optimizer: str = option(
        "adamw, which is robust and fast; or sgd with momentum 0.9, the peers' choice, which wants "
        "a learning rate that is chosen with care.",
        "adamw",
        group="Optimisation",
        choices=("adamw", "sgd"),
    )
    learning_rate: float | None = option(
        "Highest learning rate. About 0.001 for adamw, 0.01 for sgd. The flag that counts most: "
        "too high and the loss jumps or doesn't fall, too low and the run ends before it has "
        "learnt. Default: 0.001; 0.002 for the detector.",
        None,
        group="Optimisation",
        minimum=0.0,
    )
    schedule: str | None = option(
        "How the learning rate falls: cosine to zero at the last step; exponential by "
        "--decay_rate every --decay_steps; plateau by --decay_rate after --plateau_patience "
        "evaluations without a better one; or constant. Cosine does best where the number of "
        "steps is known beforehand. Default: cosine; exponential where --decay_steps or "
        "--decay_rate is given.",
        None,
        group="Optimisation",
        choices=("cosine", "exponential", "plateau", "constant"),
    )
    warmup_steps: int = option(
        "Steps over which the learning rate rises from zero. More let a higher learning rate start "
        "well.",
        200,
        group="Optimisation",
        minimum=0,
    )
    decay_steps: int | None = option(
        "Steps between two falls of the exponential schedule. Default: 10,000.",
        None,
        group="Optimisation",
        minimum=1,
    )
    decay_rate: float | None = option(
        "Factor of each fall of the schedules exponential and plateau. Default: 0.9 and 0.5.",
        None,
        group="Optimisation",
        minimum=0.0,
        maximum=1.0,
    )
    plateau_patience: int = option(
        "Evaluations without a better one after which the schedule plateau falls. Fewer than "
        "--patience, or the run ends first.",
        5,
        group="Optimisation",
        minimum=1,
    )
    weight_decay: float | None = option(
        "Decoupled weight decay, times the learning rate, of kernels (not of biases and "
        "normalisation). Holds a long run on few photos back from learning them by heart. "
        "Default: 0.05; 0.02 for the detector.",
        None,
        group="Optimisation",
        minimum=0.0,
    )
    label_smoothing: float = option(
        "Share of each target that is spread over all classes, such as 0.05. Helps against wrong "
        "labels and too much confidence; more of it makes the confidence too modest. For the "
        "reader.",
        0.0,
        group="Optimisation",
        minimum=0.0,
        maximum=1.0,
    )
    gradient_clip: float | None = option(
        "Longest gradient: longer ones are shortened to it, over all weights and devices together; "
        "0 for no limit. Saves runs that a rare batch throws off; TensorBoard's "
        "training/gradient_norm shows what is usual. Default: 0; 5 for the detector.",
        None,
        group="Optimisation",
        minimum=0.0,
    )
    average_decay: float = option(
        "Decay of a moving average of the weights, such as 0.999; 0 for none. The average is "
        "scored, saved beside the weights and used by eval.py and inference.py. It reads better "
        "while the learning rate is high, and little differently where it has fallen to zero.",
        0.0,
        group="Optimisation",
        minimum=0.0,
        maximum=0.99999,
    )

    precision: str = option(
        "Of activations and gradients; weights, heads and loss stay in float32. The others are "
        "faster where there are units for them, with scores that differ by chance: bfloat16 on "
        "recent GPUs and on CPUs whose flags in /proc/cpuinfo have amx_bf16, float16 on GPUs "
        "before 2020. On other CPUs they are slower.",
        "float32",
        group="Speed",
        choices=PRECISIONS,
    )
    steps_per_call: int = option(
        "Steps that a device works through at once. The weights are the same; more are faster "
        "where a step takes a few milliseconds. Ctrl-C waits for them.",
        1,
        group="Speed",
        minimum=1,
    )
    profile_steps: list[str] = option(
        "FIRST,LAST: records what the devices do in these steps, for TensorBoard's page Profile "
        "(pip install xprof; docs/watching.md).",
        [],
        group="Speed",
    )

    def __post_init__(self) -> None:
        for name, value in TASK_DEFAULTS[self.task].items():
            if getattr(self, name) is None:
                setattr(self, name, value)

    @property
    def windows(self) -> WindowConfig:
        """Which windows the detector is trained on."""
        return WindowConfig(size=self.window_size, largest_digit=LARGEST_DIGIT * self.window_size)

    @property
    def photos_per_step(self) -> int:
        """How many photos a step takes: the reader's pictures each show one, windows several."""
        per_picture = self.windows.photos + 1 if self.task == "detector" else 1
        return self.batch_size * per_picture
