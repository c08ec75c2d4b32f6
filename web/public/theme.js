// Runs before the first paint, so that a dark page never flashes white. lib/preferences.ts changes the choice later.
(() => {
  // The page's base is relative to its first address; it must mean the same when the address changes.
  const base = document.querySelector("base");
  if (base) base.href = document.baseURI;
  let choice = "system";
  try {
    choice = localStorage.getItem("grapnel.theme") || "system";
  } catch {
    // Storage is blocked, as in a frame of another site: follow the system.
  }
  const dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
