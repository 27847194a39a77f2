# As nixpkgs does it: a package that may not be evaluated is there and says of itself what it is, but has no path.
{ lib, final }:
attributes: package:
let
  licenses = lib.toList (attributes.meta.license or [ ]);
  free = lib.all (license: license.free or true) licenses;
  allowed = free || final.config.allowUnfree or false || (final.config.allowUnfreePredicate or (_: false)) attributes;
  checked = lib.throwIf (!allowed) ''
    package `${attributes.name or "${attributes.pname}-${attributes.version}"}' has an unfree license and may not be evaluated:
    allow it with `config.allowUnfree' or `config.allowUnfreePredicate' '';
in
package // { drvPath = checked package.drvPath; outPath = checked package.outPath; }
