"""Problem sets that grade themselves: their masters, and what builds, proves and grades them."""
