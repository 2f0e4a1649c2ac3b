//! The use cases of Latchkey, over domain and ports only
