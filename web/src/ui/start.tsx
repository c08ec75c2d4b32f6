import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "@/lib/api";
import { type Languages, languageStore, preferredLanguage, setLanguage, speak } from "@/lib/i18n";
import { nonce } from "@/lib/nonce";
import { followPreferences } from "@/lib/preferences";
import { useStore } from "@/lib/store";
import { ToastProvider } from "./Toast";
import { TooltipProvider } from "./Tooltip";

/** Draws a program into the page, in the reader's language and theme. */
export async function start(languages: Languages, draw: () => ReactNode): Promise<void> {
  speak(languages);
  followPreferences();
  await setLanguage(preferredLanguage());
  createRoot(document.getElementById("root")!).render(
    <StrictMode>
      <Providers draw={draw} />
    </StrictMode>,
  );
}

/** What components need around them. Another language draws everything anew. */
function Providers({ draw }: { draw: () => ReactNode }) {
  const { language } = useStore(languageStore);
  return (
    <CSPProvider nonce={nonce}>
      <QueryClientProvider client={queryClient}>
        <TooltipProvider delay={400} key={language}>
          <ToastProvider>{draw()}</ToastProvider>
        </TooltipProvider>
      </QueryClientProvider>
    </CSPProvider>
  );
}
