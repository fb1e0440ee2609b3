//! The lab: starts real nodes, gives them cases and breaks them.
