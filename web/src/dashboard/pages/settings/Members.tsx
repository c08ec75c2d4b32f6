import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, MoreHorizontal, Pencil, Trash2, UserPlus } from "lucide-react";
import { useState } from "react";
import { useMay, useSession } from "@/dashboard/session";
import { type ApiError, api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button, IconButton } from "@/ui/Button";
import { Menu, MenuItem } from "@/ui/Menu";
import { Section } from "@/ui/Page";
import { ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { Badge } from "@/ui/Status";
import { Table } from "@/ui/Table";
import { Time } from "@/ui/Time";
import { toast } from "@/ui/Toast";
import { TypedConfirm } from "@/ui/TypedConfirm";
import { MemberForm } from "./MemberForm";
import { OneTimeLink } from "./OneTimeLink";

export type Member = Schema<"MemberOut">;

const membersQuery = queryOptions({
  queryKey: ["members"],
  queryFn: async ({ signal }) => {
    const all: Member[] = [];
    let iterator: string | undefined;
    for (;;) {
      const page = await ok(api.GET("/api/v1/member", { params: { query: { limit: 250, iterator } }, signal }));
      all.push(...page.data);
      iterator = page.iterator ?? undefined;
      if (page.done || iterator === undefined) return all;
    }
  },
});

/** Who may sign in, and what they may do. */
export function Members() {
  const client = useQueryClient();
  const me = useSession().data?.member?.id;
  const owner = useMay("owner");
  const found = useQuery(membersQuery);
  const [form, setForm] = useState<Member | "new" | null>(null);
  const [removing, setRemoving] = useState<Member | null>(null);
  const [link, setLink] = useState<{ member: Member; link: Schema<"MemberLinkOut"> } | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const changed = () => client.invalidateQueries({ queryKey: membersQuery.queryKey });
  const makeLink = (member: Member) => {
    setError(null);
    ok(api.POST("/api/v1/member/{member}/link", { params: { path: { member: member.id } }, body: {} })).then(
      (made) => setLink({ member, link: made }),
      (why: ApiError) => setError(why),
    );
  };
  const remove = async () => {
    if (!removing) return;
    await ok(api.DELETE("/api/v1/member/{member}", { params: { path: { member: removing.id } } }));
    toast(t("member.removed"));
    await changed();
  };
  return (
    <Section
      title={t("set.tab.members")}
      text={t("member.text")}
      actions={
        <Button look="primary" icon={UserPlus} onClick={() => setForm("new")}>
          {t("member.invite")}
        </Button>
      }
    >
      {error && <ErrorText error={error} />}
      {found.error ? (
        <ErrorState error={found.error} retry={() => void found.refetch()} />
      ) : !found.data ? (
        <Skeleton rows={3} />
      ) : (
        <Table
          label={t("set.tab.members")}
          head={[
            t("set.name"),
            t("set.email"),
            t("set.role"),
            t("set.payloads"),
            t("member.seen"),
            <span key="do" className="sr-only">
              {t("member.more")}
            </span>,
          ]}
          rows={found.data.map((member) => {
            // Owners are the business of owners.
            const reason = member.role === "owner" && !owner ? t("member.owners") : undefined;
            return {
              key: member.id,
              cells: [
                <span key="name" className="whitespace-nowrap font-medium">
                  {member.name} {member.id === me && <Badge>{t("member.you")}</Badge>}
                </span>,
                member.email,
                t(`role.${member.role}`),
                t(member.mayReadPayloads ? "member.payloads.yes" : "member.payloads.no"),
                member.lastSeenAt ? <Time key="seen" at={member.lastSeenAt} /> : t("member.invited"),
                <span key="do" className="flex justify-end">
                  <Menu
                    trigger={<IconButton icon={MoreHorizontal} label={t("member.moreOf", { name: member.name })} />}
                  >
                    <MenuItem icon={Pencil} disabled={reason !== undefined} onSelect={() => setForm(member)}>
                      {t("do.edit")}
                    </MenuItem>
                    <MenuItem icon={KeyRound} disabled={reason !== undefined} onSelect={() => makeLink(member)}>
                      {t(member.lastSeenAt ? "member.reset" : "member.inviteAgain")}
                    </MenuItem>
                    <MenuItem
                      icon={Trash2}
                      danger
                      disabled={reason !== undefined || member.id === me}
                      onSelect={() => setRemoving(member)}
                    >
                      {t("do.delete")}
                    </MenuItem>
                  </Menu>
                </span>,
              ],
            };
          })}
        />
      )}
      {form && (
        <MemberForm
          member={form === "new" ? undefined : form}
          onClose={() => setForm(null)}
          onSaved={(made) => {
            setForm(null);
            if (made) setLink(made);
            void changed();
          }}
        />
      )}
      {link && (
        <OneTimeLink
          link={link.link}
          title={t("member.link", { name: link.member.name })}
          text={t(link.member.lastSeenAt ? "member.link.reset" : "member.link.invite", { email: link.member.email })}
          onClose={() => setLink(null)}
        />
      )}
      <TypedConfirm
        open={removing !== null}
        onClose={() => setRemoving(null)}
        name={removing?.email ?? ""}
        title={t("member.remove", { name: removing?.name ?? "" })}
        text={t("member.remove.text")}
        verb={t("do.delete")}
        onConfirm={remove}
      />
    </Section>
  );
}
