// The page's two halves share one set of models; nothing is fetched before the reader asks for something.

import { Classifier } from "./classifier.js";
import { Measuring } from "./measuring.js";
import { Reading } from "./reading.js";

const data = JSON.parse(document.getElementById("device-data").textContent);
const classifier = new Classifier(data);
new Reading(data, classifier);
new Measuring(data, classifier);
