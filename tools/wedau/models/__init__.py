"""What a model computes, family by family, as plain arrays on the int16 grid."""
