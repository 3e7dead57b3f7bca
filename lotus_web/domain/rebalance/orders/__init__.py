"""From target weights to orders: planning, tax, turnover, funding, trimming and the settlement ladder."""
