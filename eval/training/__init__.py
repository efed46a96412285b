"""What Rawi's own weights are made with, beside what they are made from; no part of the wheel."""
