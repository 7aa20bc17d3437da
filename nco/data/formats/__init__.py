"""Files of problems and solutions; `registry` knows which module reads which."""
