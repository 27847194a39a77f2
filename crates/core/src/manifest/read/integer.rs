//! Integers with a range of their own.

/// Declares types that hold an integer within bounds.
macro_rules! integer_value {
    ($($(#[$doc:meta])* $name:ident($type:ty), $min:literal..=$max:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(pub $type);

        impl $crate::manifest::read::FromToml for $name {
            fn from_toml(
                value: &toml::Spanned<toml::de::DeValue<'_>>,
                problems: &mut $crate::manifest::read::Problems,
            ) -> Option<Self> {
                let number = $crate::manifest::read::integer_in(value, $min..=$max, problems)?;
                number.try_into().ok().map(Self)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let (min, max): (i64, i64) = ($min, $max);
                schemars::json_schema!({ "type": "integer", "minimum": min, "maximum": max })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}
pub(in crate::manifest) use integer_value;
