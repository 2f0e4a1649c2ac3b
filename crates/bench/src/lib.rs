//! What Latchkey is measured against: the floors, and the run that compares them
