import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { CircleUserRound, LogOut, UserRound } from "lucide-react";
import { api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { IconButton } from "@/ui/Button";
import { Menu, MenuItem, MenuLine } from "@/ui/Menu";
import { sessionQuery, useSession } from "./session";

/** Who one is, and the way out. */
export function MeMenu() {
  const member = useSession().data?.member;
  const navigate = useNavigate();
  const client = useQueryClient();
  const signOut = useMutation({
    mutationFn: () => ok(api.DELETE("/api/v1/session")),
    onSuccess: async () => {
      // The pages close first: on one that is open, everything would ask again without a session.
      client.setQueryData(sessionQuery.queryKey, (was) => was && { ...was, signedIn: false, member: undefined });
      await client.invalidateQueries(sessionQuery);
      // What one member read is not for the next.
      client.removeQueries({ type: "inactive" });
    },
  });
  if (!member) return null;
  return (
    <Menu trigger={<IconButton icon={CircleUserRound} label={t("shell.me", { name: member.name })} />}>
      <div className="px-2.5 py-1">
        <div className="truncate font-medium">{member.name}</div>
        <div className="truncate text-ink-3 text-xs">{member.email}</div>
      </div>
      <MenuLine />
      <MenuItem icon={UserRound} onSelect={() => void navigate({ to: "/settings", search: { tab: "account" } })}>
        {t("shell.account")}
      </MenuItem>
      <MenuItem icon={LogOut} onSelect={() => signOut.mutate()}>
        {t("shell.signOut")}
      </MenuItem>
    </Menu>
  );
}
