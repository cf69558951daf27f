// Everything is started once, from the one block of data that is not packed.

const data = readBlock("data");
document.documentElement.classList.add("scripted");
startTables();
startFilter();
startHeat(data);
startAttempts(data);
document.documentElement.dataset.ready = "true";
requestAnimationFrame(() => startCharts(data));
