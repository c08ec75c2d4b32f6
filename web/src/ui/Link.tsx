import { createLink, Link as RouterLink } from "@tanstack/react-router";
import { ExternalLink } from "lucide-react";
import type { AnchorHTMLAttributes, ReactNode, Ref } from "react";
import { t } from "@/lib/i18n";
import { cx } from "./cx";

const look = "underline decoration-edge/60 underline-offset-2 hover:decoration-ink rounded-sm";

function Anchor({
  className,
  ref,
  ...rest
}: AnchorHTMLAttributes<HTMLAnchorElement> & { ref?: Ref<HTMLAnchorElement> }) {
  return <a ref={ref} {...rest} className={cx(look, className)} />;
}

/** A link inside the program, typed by its routes. */
export const Link = createLink(Anchor);

/** The same without a look, for rows and navigation. */
export const PlainLink = RouterLink;

/** A link that leaves the program. */
export function OuterLink({ href, children, className }: { href: string; children: ReactNode; className?: string }) {
  return (
    <a href={href} target="_blank" rel="noreferrer" className={cx(look, className)}>
      {children}
      <ExternalLink aria-label={t("ui.newTab")} size={12} className="ml-0.5 inline" />
    </a>
  );
}
