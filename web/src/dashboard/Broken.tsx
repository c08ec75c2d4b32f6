import { type ErrorComponentProps, useLocation } from "@tanstack/react-router";
import { ApiError } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { CopyButton } from "@/ui/Copy";
import { Link } from "@/ui/Link";
import { ErrorState } from "@/ui/States";

/** An address that leads nowhere. */
export function NotFound() {
  const { pathname } = useLocation();
  return (
    <div className="flex max-w-xl flex-col items-start gap-2 p-6">
      <h1 className="font-semibold text-xl">{t("notFound.title")}</h1>
      <p className="text-base text-ink-2">{t("notFound.text", { path: pathname })}</p>
      <Link to="/">{t("notFound.action")}</Link>
    </div>
  );
}

/** A page that threw: an error of the server is told as one, anything else is our fault. */
export function Crash({ error, reset }: ErrorComponentProps) {
  if (error instanceof ApiError) return <ErrorState error={error} retry={reset} />;
  const thrown = error instanceof Error ? error : new Error(String(error));
  const report = `${thrown.message}\n${thrown.stack ?? ""}`;
  return (
    <div role="alert" className="flex max-w-2xl flex-col items-start gap-2 p-6">
      <h1 className="font-semibold text-xl">{t("crash.title")}</h1>
      <p className="text-base text-ink-2">
        {t("crash.text")} {t("crash.hint")}
      </p>
      <pre className="data max-h-60 w-full overflow-auto rounded border border-line bg-sunken p-3">{report}</pre>
      <div className="flex gap-2">
        <Button look="primary" onClick={() => location.reload()}>
          {t("crash.reload")}
        </Button>
        <CopyButton text={report} withLabel />
      </div>
    </div>
  );
}
