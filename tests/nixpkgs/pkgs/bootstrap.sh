# busybox' applets and a patchelf that needs nothing else.
$busybox mkdir -p "$out/bin" "$out/lib"
$busybox --install -s "$out/bin"
PATH=$out/bin

mkdir files
for deb in $debs; do
  ar -p "$deb" data.tar.xz | xz -d | tar -x -C files
done
cp -a files/usr/lib/"$triplet"/*.so* "$out/lib/"
cp files/usr/bin/patchelf "$out/lib/patchelf"

cat > "$out/bin/patchelf" << END
#!$busybox sh
exec $out/lib/$loader --library-path $out/lib $out/lib/patchelf "\$@"
END
chmod +x "$out/bin/patchelf"
