# The licences of the packages in the set, by nixpkgs' names.
let
  spdx = fullName: spdxId: {
    inherit fullName spdxId;
    shortName = spdxId;
    free = true;
    deprecated = false;
    url = "https://spdx.org/licenses/${spdxId}.html";
  };
in
{
  artistic2 = spdx "Artistic License 2.0" "Artistic-2.0";
  asl20 = spdx "Apache License 2.0" "Apache-2.0";
  bsd2 = spdx ''BSD 2-clause "Simplified" License'' "BSD-2-Clause";
  bsd3 = spdx ''BSD 3-clause "New" or "Revised" License'' "BSD-3-Clause";
  bzip2 = spdx "bzip2 and libbzip2 License v1.0.6" "bzip2-1.0.6";
  curl = spdx "curl License" "curl";
  gpl2Only = spdx "GNU General Public License v2.0 only" "GPL-2.0-only";
  gpl2Plus = spdx "GNU General Public License v2.0 or later" "GPL-2.0-or-later";
  gpl3Only = spdx "GNU General Public License v3.0 only" "GPL-3.0-only";
  gpl3Plus = spdx "GNU General Public License v3.0 or later" "GPL-3.0-or-later";
  isc = spdx "ISC License" "ISC";
  lgpl2Plus = spdx "GNU Library General Public License v2 or later" "LGPL-2.0-or-later";
  lgpl21Plus = spdx "GNU Lesser General Public License v2.1 or later" "LGPL-2.1-or-later";
  mit = spdx "MIT License" "MIT";
  mpl20 = spdx "Mozilla Public License 2.0" "MPL-2.0";
  ncurses = spdx "X11 License Distribution Modification Variant" "X11-distribute-modifications-variant";
  psfl = spdx "Python Software Foundation License 2.0" "PSF-2.0";
  publicDomain = {
    fullName = "Public Domain";
    shortName = "publicDomain";
    free = true;
  };
  unfree = {
    fullName = "Unfree";
    shortName = "unfree";
    free = false;
  };
  unlicense = spdx "The Unlicense" "Unlicense";
  zlib = spdx "zlib License" "Zlib";
  gccRuntime = spdx "GPL-3.0-or-later WITH GCC-exception-3.1" "GPL-3.0-or-later WITH GCC-exception-3.1";
  zsh = spdx "MIT License Modern Variant" "MIT-Modern-Variant";
}
