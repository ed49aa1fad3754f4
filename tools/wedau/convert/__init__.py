"""From fitted estimators to C and to the header of a model module: pure, no files, no tools."""
