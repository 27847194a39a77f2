# The environment of builders and of `nix develop`, and the phases of a build. Only builtins of bash run before the first
# phase, so that the environment of a shell for another architecture can be worked out here.
export NIX_STORE=${NIX_STORE:-/nix/store}
export SHELL=@shell@
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1}
initialPath=@initialPath@

# Folders of the inputs, first those that were named first; what is named twice counts once.
_inputPath=
_addInput() {
  local input=$1 more
  case ":$_seen:" in *":$input:"*) return 0 ;; esac
  _seen=$_seen:$input
  if [ -d "$input/bin" ]; then _inputPath=${_inputPath:+$_inputPath:}$input/bin; fi
  if [ -d "$input/lib/pkgconfig" ]; then export PKG_CONFIG_PATH=${PKG_CONFIG_PATH:+$PKG_CONFIG_PATH:}$input/lib/pkgconfig; fi
  if [ -e "$input/nix-support/propagated-build-inputs" ]; then
    for more in $(< "$input/nix-support/propagated-build-inputs"); do _addInput "$more"; done
  fi
  if [ -e "$input/nix-support/setup-hook" ]; then source "$input/nix-support/setup-hook"; fi
}
_seen=
for _input in ${nativeBuildInputs-} ${buildInputs-} ${propagatedBuildInputs-}; do
  _addInput "$_input"
done
PATH=${_inputPath:+$_inputPath:}$initialPath
export PATH
unset _input _inputPath _seen

runHook() {
  local text=${!1-}
  if declare -F "$1" > /dev/null; then "$1"; elif [ -n "$text" ]; then eval "$text"; fi
}

# A phase or hook is a variable with commands, else a function.
_runPhase() {
  local text=${!1-}
  if [ -n "$text" ]; then eval "$text"; else "$1"; fi
}

unpackPhase() {
  runHook preUnpack
  if [ -d "$src" ]; then
    cp -r "$src" source
    chmod -R u+w source
  else
    mkdir source
    case $src in
      *.tar* | *.tgz) tar -xf "$src" -C source --strip-components=1 ;;
      *) cp "$src" "source/${src#*-}" ;;
    esac
  fi
  cd "${sourceRoot:-source}"
  runHook postUnpack
}

patchPhase() {
  runHook prePatch
  local file
  for file in ${patches-}; do patch -p1 < "$file"; done
  runHook postPatch
}

configurePhase() {
  runHook preConfigure
  if [ -x ./configure ]; then ./configure --prefix="$out" ${configureFlags-}; fi
  runHook postConfigure
}

buildPhase() {
  runHook preBuild
  if [ -e Makefile ]; then make ${makeFlags-}; fi
  runHook postBuild
}

checkPhase() {
  runHook preCheck
  if [ -e Makefile ] && make -n check > /dev/null 2>&1; then make check ${makeFlags-}; fi
  runHook postCheck
}

installPhase() {
  runHook preInstall
  if [ -e Makefile ]; then make install PREFIX="$out" prefix="$out" ${makeFlags-}; fi
  runHook postInstall
}

fixupPhase() {
  runHook preFixup
  if [ -n "${propagatedBuildInputs-}" ] && [ -d "${out-}" ]; then
    mkdir -p "$out/nix-support"
    echo "$propagatedBuildInputs" > "$out/nix-support/propagated-build-inputs"
  fi
  runHook postFixup
}

genericBuild() {
  if [ -n "${buildCommand-}" ]; then
    eval "$buildCommand"
    return
  fi
  local phase
  for phase in ${phases:-unpackPhase patchPhase configurePhase buildPhase checkPhase installPhase fixupPhase}; do
    if [ "$phase" = unpackPhase ] && [ -z "${src-}" ]; then continue; fi
    if [ "$phase" = unpackPhase ] && [ -n "${dontUnpack-}" ]; then continue; fi
    if [ "$phase" = checkPhase ] && [ -z "${doCheck-}" ]; then continue; fi
    _runPhase "$phase"
  done
}
