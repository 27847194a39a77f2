mkdir -p "$out/nix-support"
echo "$packages" | tr ' ' '\n' > "$out/nix-support/depends"
