package sandbox

import (
	"slices"
	"strconv"
	"strings"

	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/sandbox/params"
)

var recurringParams = params.Group(params.Schema{
	"interval": params.OneOf("day", "week", "month", "year").Required(), "interval_count": params.Int(),
})

var productFields = params.Schema{
	"name": params.Text().Required(), "description": params.TextUpTo(40000).Clearable(), "images": params.List(params.Text(), 8),
	"metadata": params.Metadata(), "tax_code": params.Text(), "unit_label": params.TextUpTo(12),
	"statement_descriptor": params.TextUpTo(22), "url": params.Text(), "active": params.Bool(),
}

var productCreate = productFields.With(params.Schema{"id": params.Text()})

var productUpdate = productFields.With(params.Schema{
	"name": params.Text(), "default_price": params.Text(), "images": params.List(params.Text(), 8).Clearable(),
})

var priceFields = params.Schema{
	"currency": params.Text().Required(), "unit_amount": params.Int(), "product": params.Text(), "recurring": recurringParams,
	"tax_behavior": params.OneOf("exclusive", "inclusive", "unspecified"),
}

// priceData describes a price made for one use: its product is named or made with it.
var priceData = params.Group(priceFields.With(params.Schema{
	"product_data": params.Group(params.Schema{
		"name": params.Text().Required(), "description": params.TextUpTo(40000), "images": params.List(params.Text(), 8), "metadata": params.Metadata(),
		"tax_code": params.Text(),
	}),
}))

var priceCreate = priceFields.With(params.Schema{
	"active": params.Bool(), "lookup_key": params.TextUpTo(200), "metadata": params.Metadata(), "nickname": params.Text(),
	"transfer_lookup_key": params.Bool(),
	"product_data": params.Group(params.Schema{
		"name": params.Text().Required(), "active": params.Bool(), "metadata": params.Metadata(), "statement_descriptor": params.TextUpTo(22),
		"tax_code": params.Text(), "unit_label": params.TextUpTo(12), "id": params.Text(),
	}),
})

var priceUpdate = params.Schema{
	"active": params.Bool(), "lookup_key": params.TextUpTo(200), "metadata": params.Metadata(), "nickname": params.Text().Clearable(),
	"transfer_lookup_key": params.Bool(), "tax_behavior": params.OneOf("exclusive", "inclusive", "unspecified"),
}

func (s *Sandbox) newProduct(values params.Values, active bool) Object {
	p := Object{
		"id": s.newID(kindProduct), "object": "product", "active": active, "created": s.now(), "default_price": nil, "description": nil,
		"features": []any{}, "images": []any{}, "livemode": false, "metadata": Object{}, "name": nil, "package_dimensions": nil,
		"shippable": nil, "statement_descriptor": nil, "tax_code": nil, "unit_label": nil, "updated": s.now(), "url": nil,
	}
	copyFields(p, values, "id", "active", "description", "images", "name", "statement_descriptor", "tax_code", "unit_label", "url")
	mergeMetadata(p, values)
	s.st.put(kindProduct, p)
	s.emit("product.created", p)
	return p
}

func (s *Sandbox) createProduct(c *call) (Object, error) {
	if id := c.params.Text("id"); id != "" && s.st.get(kindProduct, id) != nil {
		return nil, invalidCode("resource_already_exists", "id", "Product already exists.")
	}
	return s.newProduct(c.params, true), nil
}

func (s *Sandbox) updateProduct(c *call) (Object, error) {
	id := c.path("id")
	before := s.st.get(kindProduct, id)
	if before == nil {
		return nil, missing("product", id)
	}
	if price := c.params.Text("default_price"); price != "" && s.st.get(kindPrice, price) == nil {
		return nil, missingParam("price", "default_price", price)
	}
	after := s.st.change(kindProduct, id, func(o Object) {
		copyFields(o, c.params, "active", "default_price", "description", "images", "name", "statement_descriptor", "tax_code", "unit_label", "url")
		if o["images"] == nil {
			o["images"] = []any{}
		}
		mergeMetadata(o, c.params)
		o["updated"] = s.now()
	})
	s.emitChange("product.updated", before, after)
	return after, nil
}

func (s *Sandbox) deleteProduct(c *call) (Object, error) {
	id := c.path("id")
	before := s.st.get(kindProduct, id)
	switch {
	case before == nil:
		return nil, missing("product", id)
	case len(s.where(kindPrice, "product", id)) > 0:
		return nil, invalid("", "This product cannot be deleted because it has one or more user-created prices.")
	}
	s.st.remove(kindProduct, id)
	s.emit("product.deleted", before)
	return Object{"id": id, "object": "product", "deleted": true}, nil
}

func (s *Sandbox) listProducts(c *call) (Object, error) {
	ids := c.params.Texts("ids")
	plain := equal(c, "active", "url")
	return s.list(c, kindProduct, func(o Object) bool { return plain(o) && (len(ids) == 0 || slices.Contains(ids, o.id())) })
}

// newPrice checks and stores a price; at is where its parameters stand in the
// request, such as "line_items[0][price_data]", or "".
func (s *Sandbox) newPrice(values params.Values, at string, active bool) (Object, error) {
	param := func(name string) string {
		if at == "" {
			return name
		}
		return at + "[" + name + "]"
	}
	currency, err := money.Lookup(values.Text("currency"))
	if err != nil {
		return nil, invalid(param("currency"), "Invalid currency: "+values.Text("currency")+".")
	}
	amount := values.Int("unit_amount")
	switch {
	case !values.Has("unit_amount"):
		return nil, invalidCode("parameter_missing", param("unit_amount"), "Missing required param: "+param("unit_amount")+".")
	case amount < 0:
		return nil, invalidCode("parameter_invalid_integer", param("unit_amount"), "This value must be greater than or equal to 0.")
	case amount > money.MaxMinor:
		return nil, invalidCode("amount_too_large", param("unit_amount"), "Amount must be no more than 99999999.")
	case amount%currency.Step != 0:
		return nil, invalid(param("unit_amount"), "Invalid amount: "+currency.Code+" amounts must be multiples of "+strconv.FormatInt(currency.Step, 10)+".")
	}
	recurring, err := readRecurring(values, param("recurring"))
	if err != nil {
		return nil, err
	}
	product, err := s.productOf(values, param, active)
	if err != nil {
		return nil, err
	}
	kind := "one_time"
	var period any
	if recurring != nil {
		kind, period = "recurring", recurring
	}
	price := Object{
		"id": s.newID(kindPrice), "object": "price", "active": active, "billing_scheme": "per_unit", "created": s.now(),
		"currency": strings.ToLower(currency.Code), "custom_unit_amount": nil, "livemode": false, "lookup_key": nil, "metadata": Object{},
		"nickname": nil, "product": product["id"], "recurring": period, "tax_behavior": "unspecified", "tiers_mode": nil,
		"transform_quantity": nil, "type": kind, "unit_amount": amount, "unit_amount_decimal": strconv.FormatInt(amount, 10),
	}
	copyFields(price, values, "active", "nickname", "tax_behavior", "lookup_key")
	mergeMetadata(price, values)
	s.st.put(kindPrice, price)
	s.emit("price.created", price)
	return price, nil
}

// readRecurring returns the period of a price, or nil for a price paid once.
// At this API version a period is one year at most.
func readRecurring(values params.Values, param string) (Object, error) {
	sent := values.Group("recurring")
	if sent == nil {
		return nil, nil
	}
	count := int64(1)
	if sent.Has("interval_count") {
		count = sent.Int("interval_count")
	}
	longest := map[string]int64{"day": 365, "week": 52, "month": 12, "year": 1}[sent.Text("interval")]
	if count < 1 || count > longest {
		return nil, invalid(param+"[interval_count]", "Invalid interval_count: the period must be between one day and one year.")
	}
	return Object{
		"aggregate_usage": nil, "interval": sent["interval"], "interval_count": count, "usage_type": "licensed",
	}, nil
}

// productOf returns the product a price names, or makes the one it describes.
func (s *Sandbox) productOf(values params.Values, param func(string) string, active bool) (Object, error) {
	id, described := values.Text("product"), values.Group("product_data")
	switch {
	case id != "" && described != nil:
		return nil, invalid(param("product"), "You may only specify one of these parameters: product, product_data.")
	case described != nil:
		return s.newProduct(described, active), nil
	case id == "":
		return nil, invalidCode("parameter_missing", param("product"), "You must specify either `product` or `product_data` when creating a price.")
	}
	if p := s.st.get(kindProduct, id); p != nil {
		return p, nil
	}
	return nil, missingParam("product", param("product"), id)
}

func (s *Sandbox) createPrice(c *call) (Object, error) {
	key := c.params.Text("lookup_key")
	if key != "" {
		if taken := s.where(kindPrice, "lookup_key", key); len(taken) > 0 {
			if !c.params.Bool("transfer_lookup_key") {
				return nil, invalid("lookup_key", "A price (`"+taken[0].(Object).id()+"`) already uses that lookup key.")
			}
			s.st.change(kindPrice, taken[0].(Object).id(), func(p Object) { p["lookup_key"] = nil })
		}
	}
	return s.newPrice(c.params, "", true)
}

func (s *Sandbox) updatePrice(c *call) (Object, error) {
	id := c.path("id")
	before := s.st.get(kindPrice, id)
	if before == nil {
		return nil, missing("price", id)
	}
	after := s.st.change(kindPrice, id, func(o Object) {
		copyFields(o, c.params, "active", "nickname", "lookup_key", "tax_behavior")
		mergeMetadata(o, c.params)
	})
	s.emitChange("price.updated", before, after)
	return after, nil
}

func (s *Sandbox) listPrices(c *call) (Object, error) {
	keys := c.params.Texts("lookup_keys")
	plain := equal(c, "active", "currency", "product", "type")
	return s.list(c, kindPrice, func(o Object) bool {
		return plain(o) && (len(keys) == 0 || slices.Contains(keys, o.str("lookup_key")))
	})
}

var (
	productFilters = params.Schema{"active": params.Bool(), "created": params.Range(), "ids": params.List(params.Text(), 100), "url": params.Text()}
	priceFilters   = params.Schema{
		"active": params.Bool(), "created": params.Range(), "currency": params.Text(), "lookup_keys": params.List(params.Text(), 10),
		"product": params.Text(), "type": params.OneOf("one_time", "recurring"),
	}
)
