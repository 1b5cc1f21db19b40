"""Files to values and back: reading pictures, and writing run folders all or nothing."""
