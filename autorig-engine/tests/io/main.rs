//! Reading, flattening and writing: what comes in, what is refused, what survives.

mod corpus;
