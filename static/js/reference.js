// On a phone the contents lie over the page: choosing a chapter puts them away.
(() => {
  "use strict";
  const rail = document.getElementById("rail");
  rail?.addEventListener("click", (event) => {
    if (event.target.closest("a[href^='#']") && rail.matches(":popover-open")) rail.hidePopover();
  });
})();
