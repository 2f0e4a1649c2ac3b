//! The reference store of Latchkey: the simplest code that is right
