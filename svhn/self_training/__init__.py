"""Photos without labels, labelled by the networks that are there, to train better ones.

`twins` makes random pictures of a number; `judgement` decides which photos to keep; `report` says
what was decided and shows it; `pseudo_labels` writes the folder.
"""
