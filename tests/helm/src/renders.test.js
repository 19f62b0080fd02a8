// All that looks at renders, in one process: each is made once.

import "./behaviour.js";
import "./every-render.js";
import "./kubernetes.js";
