include("../shared/manifest.py")
