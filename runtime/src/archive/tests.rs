//! What is promised of the archive.
