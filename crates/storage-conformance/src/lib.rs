//! One suite that every store of Latchkey must pass
