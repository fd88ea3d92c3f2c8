//! Every fault that HTTP can express, by the sandbox's fault plan: what the provider does, and what the job makes of it.
