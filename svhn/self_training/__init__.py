"""Photos without labels, labelled by the networks that are there, to train better ones.

`twins` makes random pictures of a number, `wider_boxes` looks beside it; `judgement` decides which
photos to keep; `report` says what was decided and shows it; `pseudo_labels` writes the folder.
`false_numbers` cuts out what a detector takes for a number where there is none; `networks` loads
the networks of both, `photos` finds their photos.
"""
