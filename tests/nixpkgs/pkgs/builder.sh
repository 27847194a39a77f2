# What every derivation of stdenv begins with.
source "$stdenv/setup"
if [ -n "${buildTools-}" ]; then PATH=$buildTools:$PATH; fi
genericBuild
