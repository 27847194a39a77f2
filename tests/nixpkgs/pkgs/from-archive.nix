# A package made of an npm tarball or a wheel. `install` is a text of commands that run among the unpacked files.
{ package, ... }:
attributes: package ({ script = ./from-archive.sh; } // attributes)
