//! Effects and use cases of plywood. Nothing here prints: what happens is reported through [`events::Events`].

pub mod events;
