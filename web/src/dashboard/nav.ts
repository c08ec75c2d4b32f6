// The pages of the frame, for the navigation, the palette and the keys.
import {
  AlertTriangle,
  Boxes,
  Gauge,
  Inbox,
  type LucideIcon,
  Radio,
  Send,
  Server,
  Settings,
  Tags,
  Users,
} from "lucide-react";
import type { Key } from "@/lib/i18n";

export interface NavItem {
  to:
    | "/"
    | "/messages"
    | "/endpoints"
    | "/applications"
    | "/event-types"
    | "/requests"
    | "/sources"
    | "/issues"
    | "/settings"
    | "/system";
  label: Key;
  icon: LucideIcon;
  /** Second key after "g". */
  key: string;
  /** Only for members of this role or more. */
  role?: "admin";
}

export interface NavGroup {
  label?: Key;
  items: readonly NavItem[];
}

export const navigation: readonly NavGroup[] = [
  { items: [{ to: "/", label: "nav.overview", icon: Gauge, key: "o" }] },
  {
    label: "nav.sending",
    items: [
      { to: "/messages", label: "nav.messages", icon: Send, key: "m" },
      { to: "/endpoints", label: "nav.endpoints", icon: Radio, key: "e" },
      { to: "/applications", label: "nav.applications", icon: Users, key: "a" },
      { to: "/event-types", label: "nav.eventTypes", icon: Tags, key: "t" },
    ],
  },
  {
    label: "nav.receiving",
    items: [
      { to: "/requests", label: "nav.requests", icon: Inbox, key: "r" },
      { to: "/sources", label: "nav.sources", icon: Boxes, key: "s" },
    ],
  },
  {
    items: [
      { to: "/issues", label: "nav.issues", icon: AlertTriangle, key: "i" },
      { to: "/settings", label: "nav.settings", icon: Settings, key: "," },
      { to: "/system", label: "nav.system", icon: Server, key: "y", role: "admin" },
    ],
  },
];

export const navItems: readonly NavItem[] = navigation.flatMap((group) => group.items);
