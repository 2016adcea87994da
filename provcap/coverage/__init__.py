"""The proof that what the reference promises is recorded: small workloads, and the edges of each.

    flows.toml -> flows -> Flow ----------+
    workload/*.c -> player -> Recording --+-> compare -> Verdict -> page

``flows.toml`` says by hand, from the meaning of each operation, which edges it has; nothing here
ever writes it.
"""
