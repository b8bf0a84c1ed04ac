//! The classical lines end to end.
