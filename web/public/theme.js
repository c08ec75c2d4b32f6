// Runs before the first paint, so that a dark page never flashes white. lib/theme.ts changes the choice later.
(() => {
  let choice = "system";
  try {
    choice = localStorage.getItem("grapnel.theme") || "system";
  } catch {
    // Storage is blocked, as in a frame of another site: follow the system.
  }
  const dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
