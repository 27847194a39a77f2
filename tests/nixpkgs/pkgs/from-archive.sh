# Unpacks $archives, runs $install among their files and ties what is in $out to the store.
. "$fixUp"

for archive in $archives; do
  folder=$NIX_BUILD_TOP/files/${archive#*-}
  mkdir -p "$folder"
  case $archive in
    # npm's tarballs have one folder, mostly `package`.
    *.tgz) tar -xzf "$archive" -C "$folder" ;;
    *.whl) unzip -q "$archive" -d "$folder" ;;
  esac
done
chmod -R u+rwX,go+rX "$NIX_BUILD_TOP/files"
mkdir -p "$out"
cd "$NIX_BUILD_TOP/files"
case $archives in
  *" "*) ;;
  *) cd ./*/ ;;
esac
run_hook "$install"
finish
