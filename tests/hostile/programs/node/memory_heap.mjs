// Fills the JavaScript heap with 1 GB of small objects.
//
// limits: memory_mb=200
// hits: memory_mb

const kept = [];
for (let count = 0; count < 16_000_000; count++) kept.push({ count });
setTimeout(() => kept.length, 20_000);
