//! Sealing, digests and randomness for Latchkey
