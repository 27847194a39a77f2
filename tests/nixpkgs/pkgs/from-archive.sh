# Unpacks $archives, runs $install among their files and ties what is in $out to the store.
. "$fixUp"

for archive in $archives; do
  folder=$NIX_BUILD_TOP/files/${archive#*-}
  mkdir -p "$folder"
  case $archive in
    # npm's tarballs have one folder, mostly `package`.
    *.tgz) tar -xzf "$archive" -C "$folder" --strip-components=1 ;;
    *.whl) unzip -q "$archive" -d "$folder" ;;
  esac
done
chmod -R u+rwX,go+rX "$NIX_BUILD_TOP/files"
mkdir -p "$out"
# Where there is one archive, among its files; else beside the archives' folders.
cd "$NIX_BUILD_TOP/files"
case $archives in
  *" "*) ;;
  *) cd ./*/ ;;
esac
run_hook "$install"
finish
