// Runs before the first paint: the chosen theme, and the mark by which styles know that scripts run.
(() => {
  "use strict";
  document.documentElement.classList.add("js");
  try {
    const theme = localStorage.getItem("lotus.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch { /* Storage may be closed to us; the system's theme is used. */ }
})();
