# The part of nixpkgs' `lib` that flakes such as ours use, with the same names and meanings.
let
  inherit (builtins)
    attrNames attrValues concatLists elemAt filter foldl' genList hasAttr head isAttrs isFunction isList isString length
    listToAttrs map mapAttrs match removeAttrs replaceStrings split stringLength substring tail toString
    ;
in
rec {
  inherit (builtins)
    add all any attrNames attrValues catAttrs compareVersions concatLists concatMap concatStringsSep deepSeq div elem
    elemAt filter foldl' fromJSON functionArgs genList getAttr groupBy hasAttr head intersectAttrs isAttrs isBool isFunction isInt
    isList isPath isString length lessThan listToAttrs map mapAttrs match mul parseDrvName pathExists readDir readFile
    removeAttrs replaceStrings seq sort split splitVersion stringLength sub substring tail throw toJSON toPath trace tryEval typeOf
    ;

  # Functions and fixed points
  id = x: x;
  const = x: _: x;
  flip = f: a: b: f b a;
  pipe = foldl' (x: f: f x);
  fix = f: let x = f x; in x;
  extends = overlay: f: final: let prev = f final; in prev // overlay final prev;
  composeExtensions = f: g: final: prev: let first = f final prev; in first // g final (prev // first);
  composeManyExtensions = foldr composeExtensions (final: prev: { });
  makeExtensible = f: fix (extends (final: prev: { extend = overlay: makeExtensible (extends overlay f); }) f);
  toFunction = value: if isFunction value then value else (_: value);
  warn = message: builtins.trace "warning: ${message}";
  warnIf = condition: message: if condition then warn message else id;
  throwIf = condition: message: if condition then throw message else id;
  throwIfNot = condition: throwIf (!condition);
  assertMsg = condition: message: if condition then true else throw message;
  min = a: b: if a < b then a else b;
  max = a: b: if a > b then a else b;
  importTOML = path: builtins.fromTOML (builtins.readFile path);
  importJSON = path: builtins.fromJSON (builtins.readFile path);

  # Lists
  singleton = x: [ x ];
  toList = x: if isList x then x else [ x ];
  foldl = f: start: list: foldl' f start list;
  foldr = f: end: list:
    let go = at: if at == length list then end else f (elemAt list at) (go (at + 1)); in go 0;
  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: list: if condition then list else [ ];
  last = list: elemAt list (length list - 1);
  init = list: genList (elemAt list) (length list - 1);
  range = from: to: if from > to then [ ] else genList (at: from + at) (to - from + 1);
  reverseList = list: genList (at: elemAt list (length list - 1 - at)) (length list);
  unique = foldl' (seen: x: if builtins.elem x seen then seen else seen ++ [ x ]) [ ];
  subtractLists = out: filter (x: !builtins.elem x out);
  intersectLists = other: filter (x: builtins.elem x other);
  partition = builtins.partition;
  flatten = x: if isList x then builtins.concatMap flatten x else [ x ];
  findFirst = wanted: default: list: let found = filter wanted list; in if found == [ ] then default else head found;
  remove = x: filter (y: y != x);
  imap0 = f: list: genList (at: f at (elemAt list at)) (length list);
  zipListsWith = f: a: b: genList (at: f (elemAt a at) (elemAt b at)) (min (length a) (length b));
  take = count: list: genList (elemAt list) (min count (length list));
  drop = count: list: genList (at: elemAt list (at + count)) (max 0 (length list - count));
  naturalSort = builtins.sort (a: b: builtins.compareVersions a b < 0);
  forEach = list: f: map f list;

  # Attribute sets
  nameValuePair = name: value: { inherit name value; };
  genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
  mapAttrs' = f: set: listToAttrs (mapAttrsToList f set);
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  attrsToList = mapAttrsToList nameValuePair;
  concatMapAttrs = f: set: foldl' (a: b: a // b) { } (mapAttrsToList f set);
  filterAttrs = wanted: set: removeAttrs set (filter (name: !(wanted name set.${name})) (attrNames set));
  filterAttrsRecursive = wanted: set:
    mapAttrs (_: value: if isAttrs value then filterAttrsRecursive wanted value else value) (filterAttrs wanted set);
  optionalAttrs = condition: set: if condition then set else { };
  getAttrs = names: set: genAttrs names (name: set.${name});
  attrVals = names: set: map (name: set.${name}) names;
  attrByPath = path: default: set:
    if path == [ ] then set
    else if isAttrs set && hasAttr (head path) set then attrByPath (tail path) default set.${head path}
    else default;
  hasAttrByPath = path: set:
    path == [ ] || (isAttrs set && hasAttr (head path) set && hasAttrByPath (tail path) set.${head path});
  getAttrFromPath = path: set:
    if hasAttrByPath path set then attrByPath path null set
    else throw "cannot find attribute `${concatStringsSep' "." path}'";
  setAttrByPath = path: value: if path == [ ] then value else { ${head path} = setAttrByPath (tail path) value; };
  recursiveUpdate = a: b:
    a // mapAttrs (name: value:
      if isAttrs value && isAttrs (a.${name} or null) && !isDerivation value then recursiveUpdate a.${name} value else value) b;
  foldAttrs = f: start: sets:
    genAttrs (unique (builtins.concatMap attrNames sets)) (name: foldr f start (builtins.catAttrs name sets));
  zipAttrsWith = builtins.zipAttrsWith or (f: sets:
    genAttrs (unique (builtins.concatMap attrNames sets)) (name: f name (builtins.catAttrs name sets)));
  isDerivation = value: (value.type or null) == "derivation";
  recurseIntoAttrs = set: set // { recurseForDerivations = true; };
  mergeAttrsList = foldl' (a: b: a // b) { };

  # Strings
  concatStringsSep' = builtins.concatStringsSep;
  concatStrings = concatStringsSep' "";
  concatMapStrings = f: list: concatStrings (map f list);
  concatMapStringsSep = separator: f: list: concatStringsSep' separator (map f list);
  concatLines = concatMapStrings (line: line + "\n");
  optionalString = condition: text: if condition then text else "";
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix = suffix: text:
    let start = stringLength text - stringLength suffix; in
    start >= 0 && substring start (-1) text == suffix;
  hasInfix = infix: text: length (split (escapeRegex infix) text) > 1;
  removePrefix = prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
  removeSuffix = suffix: text:
    if hasSuffix suffix text then substring 0 (stringLength text - stringLength suffix) text else text;
  splitString = separator: text: filter isString (split (escapeRegex separator) (toString text));
  stringToCharacters = text: genList (at: substring at 1 text) (stringLength text);
  escape = characters: replaceStrings characters (map (character: "\\" + character) characters);
  escapeRegex = escape (stringToCharacters "\\[{()^$?*+|.");
  escapeShellArg = text: "'${replaceStrings [ "'" ] [ "'\\''" ] (toString text)}'";
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  toShellVars = set: concatStringsSep' "\n" (mapAttrsToList (name: value: "${name}=${escapeShellArg value}") set);
  upperLetters = stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  lowerLetters = stringToCharacters "abcdefghijklmnopqrstuvwxyz";
  toLower = replaceStrings upperLetters lowerLetters;
  toUpper = replaceStrings lowerLetters upperLetters;
  boolToString = value: if value then "true" else "false";
  fileContents = path: removeSuffix "\n" (builtins.readFile path);
  makeSearchPath = folder: packages: concatStringsSep' ":" (map (path: "${path}/${folder}") (filter (x: x != null) packages));
  makeSearchPathOutput = output: folder: packages: makeSearchPath folder (map (getOutput output) packages);
  makeBinPath = makeSearchPathOutput "bin" "bin";
  makeLibraryPath = makeSearchPathOutput "lib" "lib";
  versionOlder = a: b: builtins.compareVersions b a > 0;
  versionAtLeast = a: b: !versionOlder a b;
  getName = x: if isString x then (builtins.parseDrvName x).name else x.pname or (builtins.parseDrvName x.name).name;
  getVersion = x: if isString x then (builtins.parseDrvName x).version else x.version or (builtins.parseDrvName x.name).version;
  nameFromURL = url: separator: head (splitString separator (last (splitString "/" url)));

  # Packages
  getOutput = output: package: if package.outputSpecified or false then package else package.${output} or package.out or package;
  getBin = getOutput "bin";
  getLib = getOutput "lib";
  getDev = getOutput "dev";
  getExe = package: getExe' package (package.meta.mainProgram or (getName package));
  getExe' = package: program: "${getBin package}/bin/${program}";
  makeOverridable = f: arguments:
    let
      result = f arguments;
      again = new: makeOverridable f (arguments // (if isFunction new then new arguments else new));
    in
    if isAttrs result then
      result
      // {
        override = again;
      }
      // optionalAttrs (result ? overrideAttrs) {
        overrideAttrs = change: makeOverridable (given: (f given).overrideAttrs change) arguments;
      }
    else
      result;
  callPackageWith = scope: function: arguments:
    let f = if isFunction function then function else import function; in
    makeOverridable f (builtins.intersectAttrs (builtins.functionArgs f) scope // arguments);
  setPrio = priority: addMetaAttrs { inherit priority; };
  lowPrio = setPrio 10;
  hiPrio = setPrio (-10);
  addMetaAttrs = more: package: package // { meta = (package.meta or { }) // more; };
  licensesSpdx = listToAttrs (map (license: nameValuePair license.spdxId license) (attrValues licenses));

  licenses = import ./licenses.nix;
  systems = import ./systems.nix;
  platforms = {
    all = systems.flakeExposed;
    linux = systems.flakeExposed;
    unix = systems.flakeExposed;
  };
  maintainers = { };
  trivial = { inherit id const flip fix warn min max importTOML importJSON; };
  strings = { inherit concatStringsSep' concatMapStringsSep hasPrefix hasSuffix splitString removePrefix removeSuffix; concatStringsSep = concatStringsSep'; };
  lists = { inherit optional optionals unique flatten findFirst range foldr last init; };
  attrsets = { inherit attrByPath getAttrFromPath hasAttrByPath mapAttrs' mapAttrsToList filterAttrs genAttrs nameValuePair recursiveUpdate optionalAttrs; };
  meta = { inherit getExe getExe' setPrio lowPrio hiPrio addMetaAttrs; };
  customisation = { inherit makeOverridable callPackageWith; };
}
