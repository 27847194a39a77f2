# Unpacks $deb as it is; what it depends on is written down, so that Nix finds the references.
mkdir -p "$out/nix-support"
ar -p "$deb" data.tar.xz | xz -d | tar -x -C "$out"
echo "$depends" > "$out/nix-support/depends"
