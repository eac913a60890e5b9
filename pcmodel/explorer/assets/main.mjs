// Builds every scene from the page's tables.

import { chainScene } from "./scene_chain.mjs";
import { courseScene } from "./scene_course.mjs";
import { digitScene } from "./scene_digit.mjs";
import { doseScene } from "./scene_dose.mjs";

const tables = JSON.parse(document.getElementById("tables").textContent);
chainScene(document.getElementById("scene-chain"), tables.chain);
digitScene(document.getElementById("scene-digit"), tables.digits);
doseScene(document.getElementById("scene-dose"), tables.dose);
courseScene(document.getElementById("scene-course"), tables.therapy);
document.documentElement.dataset.ready = "true";
