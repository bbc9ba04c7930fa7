"""Dataset -> Features: what a frozen base says of images, computed once and kept. Knows no classes and no head but a
linear one."""
