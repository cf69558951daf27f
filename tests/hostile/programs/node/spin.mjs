// Loops in microtasks, so that no timer ever runs.
//
// limits: cpu_s=0.7 wall_s=5
// hits: cpu_s

const end = Date.now() + 60_000;
const again = () => { if (Date.now() < end) Promise.resolve().then(again); };
again();
