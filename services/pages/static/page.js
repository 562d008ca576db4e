// What makes the pages smoother; everything works without it.
"use strict";
