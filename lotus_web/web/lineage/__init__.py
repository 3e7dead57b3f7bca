"""Pages of lineage: edges between what is recorded, and their drawing."""
