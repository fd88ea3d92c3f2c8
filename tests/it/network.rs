//! Faults below HTTP and from the operating system, by raw sockets and signals.
